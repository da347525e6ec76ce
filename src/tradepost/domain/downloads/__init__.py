"""Files of an account's own things, made by jobs and fetched by signed links."""

from tradepost.domain.downloads.download import Exported, File, folder_of, key_of, version_folder
from tradepost.domain.downloads.failures import DownloadNotFound, LinkExpired
from tradepost.domain.downloads.link import LIFETIME, LinkKeys
from tradepost.domain.downloads.operations import (
    FAILED_TOPIC,
    PRODUCTS,
    READY_TOPIC,
    Export,
    cancel_download,
    find_download,
    finish_download,
    forget_file,
    link_path,
    list_expired,
    open_link,
    report_parked,
    start_product_download,
)

__all__ = [
    "FAILED_TOPIC",
    "LIFETIME",
    "PRODUCTS",
    "READY_TOPIC",
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
    "start_product_download",
    "version_folder",
]
