"""What developers run: benchmarks, guest builds, fuzzing. Nothing here is part of the package."""
