"""The admin shows photos in a folder of the test's own; tickets send mail to the shop."""

from tests.shop.photos.conftest import media, processed
from tests.shop.tickets.conftest import _shop_reads_mail

__all__ = ["_shop_reads_mail", "media", "processed"]
