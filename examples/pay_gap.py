"""Several firms learn how salaries differ between women and men, and nobody sees a salary.

Try it in clear:  mpcd program check examples/pay_gap.py
"""

import mpcd as mpc


class Staff(mpc.Table, dim=mpc.Dim("people", max=100_000)):
    salary: mpc.Int(0, 10_000_000)
    woman: mpc.Bool


@mpc.program
def pay_gap(staff: Staff):
    """How many women and men there are in all firms together, what they earn in all, and the top salaries."""
    hers = mpc.where(staff.woman, staff.salary, 0)
    his = staff.salary - hers
    return mpc.reveal(
        women=mpc.count(staff.woman),
        men=mpc.count(~staff.woman),
        earned_by_women=hers.sum(),
        earned_by_men=his.sum(),
        highest_of_women=hers.max(),
        highest_of_men=his.max(),
    )
