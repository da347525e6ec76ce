"""Tradepost: a marketplace merchant platform with its logistics service."""
