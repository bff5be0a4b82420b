"""What is known of one batch, and of one province?"""

from dataclasses import dataclass

from prakerja_eval.programme.figure import Figure


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch (gelombang) of applicants; what is not known is None.

    Attributes
    ----------
    number : int
    opened, closed : Figure, optional
        First and last day of applications, or their month.
    recipients : Figure, optional
        Quota, or people accepted.
    applicants : Figure, optional
        People who applied.
    recovery : bool
        Whether it gave again places that had been revoked.
    """

    number: int
    opened: Figure | None = None
    closed: Figure | None = None
    recipients: Figure | None = None
    applicants: Figure | None = None
    recovery: bool = False


@dataclass(frozen=True, slots=True)
class Province:
    """One province; what is not known is None.

    Attributes
    ----------
    code : int
        Code of the country's statistical office.
    name : str
    population : Figure, optional
        Millions of people.
    recipients : Figure, optional
        Thousands of people.
    unemployment_rate : Figure, optional
        Percent of the labour force.
    minimum_wage : Figure, optional
        A month, in the programme's currency.
    """

    code: int
    name: str
    population: Figure | None = None
    recipients: Figure | None = None
    unemployment_rate: Figure | None = None
    minimum_wage: Figure | None = None
