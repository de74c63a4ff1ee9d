"""Read and write records of topics: topics and rights, the Faust app, the guard around each record, dead letters."""
