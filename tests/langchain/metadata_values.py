"""Random values of metadata: scalars, bytes, lists and mappings."""

from hypothesis import strategies as st

metadata_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.binary(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)
