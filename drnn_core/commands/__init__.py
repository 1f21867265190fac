"""The subcommands of ``drnn``, one file each: arguments, progress and printing, no logic."""
