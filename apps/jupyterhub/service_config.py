"""JupyterHub: one app for a class, with one model and one study, and with the log-in of the hub.

Members have it at ``/services/vitpanel/``; whoever is none is turned away by the hub.
"""

import os
import secrets

c = get_config()  # noqa: F821 # pyright: ignore[reportUndefinedVariable] - JupyterHub's own

STUDY = os.environ["VITPANEL_STUDIES"]
WEIGHTS = os.environ["VITPANEL_CHECKPOINT"]
MEMBERS = os.environ["VITPANEL_CLASS"].split(",")  # names on the hub
TASKS = os.environ.get("VITPANEL_TASKS")
PORT = os.environ.get("VITPANEL_PORT", "9001")
API = f"http://127.0.0.1:{os.environ.get('VITPANEL_HUB_PORT', '8081')}/hub/api"
NAME, PREFIX, SCOPE = "vitpanel", "/services/vitpanel", "access:services!service=vitpanel"
TOKEN = secrets.token_hex(32)

c.JupyterHub.services = [
    {
        "name": NAME,
        "url": f"http://127.0.0.1:{PORT}",
        "command": [
            *("vitpanel", "serve", STUDY, "--checkpoint", WEIGHTS, "--no-show"),
            *(("--tasks", TASKS) if TASKS else ()),
            *("--address", "127.0.0.1", "--port", PORT, "--prefix", PREFIX),
            *("--oauth-provider", "generic", "--oauth-key", f"service-{NAME}"),
            *("--oauth-redirect-uri", f"{PREFIX}/login"),
        ],
        "environment": {
            "PANEL_OAUTH_SECRET": TOKEN,
            "PANEL_OAUTH_AUTHORIZE_URL": "/hub/api/oauth2/authorize",  # asked by browsers, at the hub's own address
            "PANEL_OAUTH_TOKEN_URL": f"{API}/oauth2/token",
            "PANEL_OAUTH_USER_URL": f"{API}/user",
            "PANEL_OAUTH_SCOPE": SCOPE,
            "PANEL_USER_KEY": "name",
        },
        "api_token": TOKEN,
        "oauth_client_id": f"service-{NAME}",
        "oauth_redirect_uri": f"{PREFIX}/login",
        "oauth_no_confirm": True,
    }
]
c.JupyterHub.load_groups = {"class": {"users": MEMBERS}}
c.JupyterHub.load_roles = [{"name": "class", "groups": ["class"], "scopes": [SCOPE]}]
