"""How every page looks: shell, forms, tables, figures, work lists. ``docs/components.md`` says how a page uses them."""
