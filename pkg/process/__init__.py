"""The life of a process: settings, what production refuses, start and end."""
