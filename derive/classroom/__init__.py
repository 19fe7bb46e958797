"""A class: many submissions found, marked in processes of their own, and summed up.

`folder` finds what was handed in and by whom, `work` has it marked under limits by any executor, `batch` does it all;
`grades`, `report` and `gradescope` are what comes out. A submission can only ever cost its own marks: one that cannot
be read, takes too long or kills its process is a row in the table, and the rest goes on.
"""
