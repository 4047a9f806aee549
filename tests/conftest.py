"""A property is about values, never about the time that a loaded machine takes for them."""

from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
