"""Rulebooks broken on purpose, one thing at a time: does a scenario notice?"""
