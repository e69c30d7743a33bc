"""The fake GitHub's REST endpoints for GitHub Apps."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.servers.github_access import App, BadCredentialsError, Installation
from tests.servers.github_json import iso, selection
from tests.servers.github_routes import Answer, Call, not_found, page, problem


def get_app(call: Call) -> Answer:
    """GET /app, with a JSON Web Token."""
    app = _checked(call)
    if isinstance(app, Answer):
        return app
    return Answer(200, call.world.shapes.app(app, call.state.add_owner("app-maker", "User")))


def list_installations(call: Call) -> Answer:
    """GET /app/installations."""
    app = _checked(call)
    if isinstance(app, Answer):
        return app
    shapes, owner = call.world.shapes, call.state.add_owner
    return page(
        call,
        call.world.installations,
        lambda item: shapes.installation(item, app, owner(item.login)),
    )


def get_installation(call: Call, login: str) -> Answer:
    """GET /orgs/{org}/installation and /users/{user}/installation."""
    app = _checked(call)
    if isinstance(app, Answer):
        return app
    found = (item for item in call.world.installations if item.login.lower() == login.lower())
    installation = next(found, None)
    if installation is None:
        return not_found()
    return Answer(200, call.world.shapes.installation(installation, app, call.state.add_owner(login)))


def create_token(call: Call, number: str) -> Answer:
    """POST /app/installations/{id}/access_tokens: a token for an hour."""
    app = _checked(call)
    if isinstance(app, Answer):
        return app
    installation = _installation(call, int(number))
    if installation is None:
        return not_found()
    token, end = call.world.access.issue(installation)
    body = {
        "token": token,
        "expires_at": iso(datetime.fromtimestamp(end, UTC)),
        "permissions": dict(installation.permissions),
        "repository_selection": selection(installation),
    }
    return Answer(201, body)


def list_installation_repositories(call: Call) -> Answer:
    """GET /installation/repositories, with an installation's token."""
    installation = call.viewer.installation
    if installation is None:
        return problem(403, "You must authenticate with an installation access token")
    with call.state.lock:
        found = [item for item in call.state.repositories.values() if call.viewer.sees_installation(item)]

    def wrap(shown: list[dict[str, object]]) -> dict[str, object]:
        return {
            "total_count": len(found),
            "repository_selection": selection(installation),
            "repositories": shown,
        }

    return page(call, found, call.minimal, wrap)


def _checked(call: Call) -> App | Answer:
    if call.world.app is None:
        return not_found()
    try:
        call.world.app.check(call.bearer or "")
    except BadCredentialsError as error:
        return problem(401, str(error))
    return call.world.app


def _installation(call: Call, number: int) -> Installation | None:
    return next((item for item in call.world.installations if item.id == number), None)
