"""Networks of other programs: read into integers, exactly or with a stated loss, and written out."""
