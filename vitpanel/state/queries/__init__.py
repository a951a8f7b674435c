"""One question a file: what a chart shows, as a table that is drawn, saved, and given to whoever asks.

A question is asked of a study and a selection. Rows are told apart by the columns ``image``, ``layer``, ``head`` and
``token``, as far as they have them.
"""
