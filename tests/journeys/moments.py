"""Times at which a calendar can go wrong: clocks that change, years that end, odd offsets."""

DAY = 86_400

STARTS = (
    1_711_584_000,  # 2024-03-28: Europe's clocks go forward on the 31st, Lebanon's at midnight
    1_729_814_400,  # 2024-10-25: back on the 27th
    1_730_332_800,  # 2024-10-31: New York's back on 3 November
    1_703_635_200,  # 2023-12-27: a year ends
    1_709_078_400,  # 2024-02-28: a leap day
    1_725_148_800,  # 2024-09-01: Santiago's clocks go forward at midnight on the 8th
)

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
)
