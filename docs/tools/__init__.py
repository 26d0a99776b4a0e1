"""What writes the pages that are made from other files: the reference of the commands, and the tutorial as a notebook."""
