"""Records in, records out: the topics, the Faust app, the guard around each record, and the dead letters."""
