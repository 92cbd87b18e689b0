"""Everything Streamlit: page set-up, navigation, caches, session keys, views and components."""
