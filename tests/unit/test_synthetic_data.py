"""Are the synthetic data that ship what their script makes, with the truth they claim?"""

import importlib.util

import numpy as np
import pandas as pd


def load(project_root):
    path = project_root / "data" / "synthetic" / "make_batches.py"
    spec = importlib.util.spec_from_file_location("make_batches", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_batches_are_what_the_script_makes(project_root):
    module = load(project_root)
    generator = np.random.Generator(np.random.PCG64(module.SEED))
    home = project_root / "data" / "synthetic"
    made = module.panel(generator).to_csv(index=False, lineterminator="\n")
    assert made == (home / "batches.csv").read_text(encoding="utf-8")
    truth = module.truth().to_csv(index=False, lineterminator="\n")
    assert truth == (home / "batches_truth.csv").read_text(encoding="utf-8")


def test_the_study_states_the_true_effects(project_root):
    home = project_root / "data" / "synthetic"
    panel, truth = pd.read_csv(home / "batches.csv"), pd.read_csv(home / "batches_truth.csv")
    sizes = panel.drop_duplicates("person_id")["first_received"].value_counts()
    weights = truth["cohort"].map(sizes)
    about = (project_root / "studies" / "batches.toml").read_text(encoding="utf-8")
    assert f"{np.average(truth['earnings'], weights=weights):,.0f} rupiah" in about
    assert f"{100 * np.average(truth['works'], weights=weights):.1f} points of work" in about
