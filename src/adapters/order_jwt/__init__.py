"""Bearer tokens verified with PyJWT."""
