"""What is a check asked about, beside the roles?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """What a check is asked about beside the roles.

    Attributes
    ----------
    outcomes : tuple of str
        Columns of the table that must hold numbers that vary.
    covariates : tuple of str
        As estimators take them ("age", "income@2020", "age^2").
    money : tuple of str
        Columns of amounts, beside those whose names say so.
    """

    outcomes: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    money: tuple[str, ...] = ()
