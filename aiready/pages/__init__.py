"""Make pages of an assessment: sentences, tables, sections, handout, portfolio, index, and their export."""
