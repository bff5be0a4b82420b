"""With which options does a staggered entry run? In words."""

from prakerja_eval.language import Catalogue
from prakerja_eval.language.catalogue import listing, plain
from prakerja_eval.study.schema import READ, StaggeredEntry


def staggered_options(entry: StaggeredEntry, words: Catalogue) -> list[str]:
    """Return the choices of a staggered entry, its covariates apart."""
    design, read, keys = entry.design, READ[entry.estimator], []
    if entry.estimator == "did.group_time":
        method = design.method if design.covariates else "unconditional"
        keys += [f"did_{method}", design.comparison, f"base_{design.base_period}"]
        keys += ["cross_sections"] if design.data == "cross_sections" else []
    keys += [f"average_{entry.average}"] if "average" in read else []
    keys += [f"scale_{entry.scale}"] if "scale" in read else []
    out = [words.text(f"method.{key}") for key in keys]
    if design.anticipation:
        digits = 0 if float(design.anticipation).is_integer() else 1
        number = words.number(design.anticipation, digits)
        out.append(words.text("method.anticipation", number=number))
    if entry.without:
        out.append(
            words.text("method.without", names=listing(words, list(map(plain, entry.without))))
        )
    return out
