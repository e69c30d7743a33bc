"""The fake GitHub's GraphQL: the one question that is asked of it, about how repositories are looked after.

The question itself was checked against GitHub's own schema (npm `@octokit/graphql-schema` 15.26.1).
"""

from __future__ import annotations

from tests.servers.github_json import Json
from tests.servers.github_routes import Answer, Call, problem
from tests.servers.github_state import Repository

PER_PAGE = 100


def answer_care(call: Call) -> Answer:
    """POST /api/graphql: an account's repositories, a hundred a page; nothing for the anonymous."""
    if call.viewer.is_anonymous:
        return problem(401, "Requires authentication")
    variables = call.payload["variables"]
    owner = call.state.owner(variables["owner"])
    if owner is None:
        error = {"type": "NOT_FOUND", "path": ["repositoryOwner"], "message": "Could not resolve to a node"}
        return Answer(200, {"data": {"repositoryOwner": None}, "errors": [error]})
    with call.state.lock:
        items = [one for one in call.state.repositories.values() if one.owner is owner]
    shown = [_node(one) for one in items if call.viewer.can_read(one)]
    start = int(variables.get("after") or 0)
    end = start + PER_PAGE
    page_info = {"hasNextPage": end < len(shown), "endCursor": str(end)}
    found = {"pageInfo": page_info, "nodes": shown[start:end]}
    return Answer(200, {"data": {"repositoryOwner": {"repositories": found}}})


def _node(repository: Repository) -> Json:
    rule = {"pattern": repository.default_branch} if repository.is_protected else None
    branch = {"branchProtectionRule": None, "refUpdateRule": rule, "rules": {"totalCount": 0}}
    return {
        "databaseId": repository.id,
        "isSecurityPolicyEnabled": repository.has_security_policy,
        "contributingGuidelines": None,
        "defaultBranchRef": branch,
    }
