"""The documentation site: derive's own pages, gallery, lessons, reference and errata as one folder of static files."""
