"""Pictures as SVG: they follow the page's colours, stay sharp at any size, and a hundred machines fit in a few megabytes."""
