"""Contact data of people who do not exist, for demo worlds: nobody can take them for anybody."""

import datetime as dt

from trial.participants.contact.actions import Details
from trial.participants.models import Contact


def synthetic(number: str) -> Details:
    """Contact data that follow from a study number alone. The domain is reserved (RFC 2606), the telephone numbers ring nowhere."""
    seed = int(number)
    ways, times = [*Contact.Way.values, ""], [*Contact.Time.values, ""]
    return Details(
        name=f"Synthetic Person {number[:4]}",
        phone=f"000 {number[:4]} {number[4:]}",
        email=f"person-{number}@example.invalid",
        address=f"{seed % 200 + 1} Nowhere Street\n0000 XX Madeuptown",
        birth_date=dt.date(1960 + seed % 40, seed % 12 + 1, seed % 28 + 1),
        contact_person=f"Synthetic Relative {number[4:]}",
        contact_phone=f"000 {number[4:]} {number[:4]}",
        preferred_way=ways[seed % len(ways)],
        best_time=times[seed // 7 % len(times)],
    )
