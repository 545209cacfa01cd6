"""How long a hold can be counted on, which Adyen never says in an answer or an event.

Adyen itself lets a hold expire after 28 days, 12 for Cartes Bancaires
(https://www.adyen.help/hc/en-us/articles/115001179684), but the schemes promise less, and a later
capture may be refused or cost more. Their shortest promise is Visa's for what a merchant begins.
"""

from datetime import timedelta
from typing import Final

SHORTEST: Final = timedelta(days=5)
EXPIRED: Final = "authorization_expired"
