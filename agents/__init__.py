"""The running system: the Faust app, topics, one thin module an agent, process supervision and the command line."""
