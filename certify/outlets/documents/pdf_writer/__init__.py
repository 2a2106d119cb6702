"""How PDF shows the documents: typst templates filled with JSON; the only package that imports typst."""
