"""The three phases of DeepECG LVSD over prepared shards (paper 000)."""
