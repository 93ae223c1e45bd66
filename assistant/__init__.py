"""Cited answers on the industrial parks and policies of Jiading."""
