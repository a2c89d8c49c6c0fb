"""What services say to each other: the envelope, the topics and the events on them. No I/O."""
