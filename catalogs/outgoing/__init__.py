"""Tables as others read them: a release or a region's catalog as CSV, workbook or national catalog file."""
