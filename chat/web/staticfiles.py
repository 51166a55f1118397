"""Static storage that also hashes the imports between our ES modules."""

from __future__ import annotations

from servestatic.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    """``import "./socket.js";`` becomes ``import "./socket.3f2a….js";``, and each file is
    stored compressed beside itself.

    Django only recognises imports that end with a semicolon, so ours do.
    Source: docs.djangoproject.com, ref/contrib/staticfiles, "ManifestStaticFilesStorage".
    """

    support_js_module_import_aggregation = True
