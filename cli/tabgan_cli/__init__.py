"""The `tabgan` command: a thin shelf over the library, one file a subcommand."""
