"""CSV and Parquet files of readings."""

from streams.files.reading import find_files, read_file, read_files

__all__ = ["find_files", "read_file", "read_files"]
