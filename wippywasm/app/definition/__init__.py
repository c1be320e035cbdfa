"""Definition files: from a folder of YAML to raw entries, each value with the line it stands on."""
