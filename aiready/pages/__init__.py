"""From an assessment to pages: sentences, tables, sections, handout, portfolio, index, and their export."""
