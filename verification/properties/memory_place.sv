// Where the next word goes, and which is read next, for the properties of the stage around it.
wire [7:0] written_word = write_word, read_word = word, read_scan = scan;
