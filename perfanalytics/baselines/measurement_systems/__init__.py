"""Measurement systems: how much of what is measured comes from measuring, and do people classify alike?"""
