"""Files of an account's own things, made by jobs and fetched by signed links."""

from tradepost.domain.downloads.download import ORDERS, PRODUCTS, Exported, File, folder_of, version_folder
from tradepost.domain.downloads.failures import DownloadNotFound, LinkExpired
from tradepost.domain.downloads.link import FOLDER, LIFETIME, LinkKeys
from tradepost.domain.downloads.operations import (
    FAILED_TOPICS,
    READY_TOPICS,
    Export,
    cancel_download,
    find_download,
    finish_download,
    forget_file,
    key_of,
    link_path,
    list_expired,
    open_link,
    report_parked,
    start_order_download,
    start_product_download,
)
from tradepost.domain.downloads.sources import SOURCES

__all__ = [
    "FAILED_TOPICS",
    "FOLDER",
    "LIFETIME",
    "ORDERS",
    "PRODUCTS",
    "READY_TOPICS",
    "SOURCES",
    "DownloadNotFound",
    "Export",
    "Exported",
    "File",
    "LinkExpired",
    "LinkKeys",
    "cancel_download",
    "find_download",
    "finish_download",
    "folder_of",
    "forget_file",
    "key_of",
    "link_path",
    "list_expired",
    "open_link",
    "report_parked",
    "start_order_download",
    "start_product_download",
    "version_folder",
]
