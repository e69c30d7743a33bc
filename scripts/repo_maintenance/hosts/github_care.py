"""What GitHub knows of how repositories are looked after: one question for each hundred of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from github.Requester import Requester

from repo_maintenance.errors import HostError

# A protection rule is shown to administrators, an update rule to all others, and rulesets are a third thing:
# https://docs.github.com/en/graphql/reference/objects#ref
QUERY = """
query Care($owner: String!, $after: String) {
  repositoryOwner(login: $owner) {
    repositories(first: 100, after: $after, ownerAffiliations: [OWNER]) {
      pageInfo { hasNextPage endCursor }
      nodes {
        databaseId
        isSecurityPolicyEnabled
        contributingGuidelines { url }
        defaultBranchRef {
          branchProtectionRule { id }
          refUpdateRule { pattern }
          rules(first: 1) { totalCount }
        }
      }
    }
  }
}
"""


class Care(NamedTuple):
    """How one repository is looked after, by GitHub's word."""

    is_protected: bool | None
    """Whether a rule guards the default branch; None where the token may not know, or there is none."""
    has_contributing: bool
    """Whether it shows a contributing guide, its own or that of the whole account."""
    has_security_policy: bool
    """Whether it shows a security policy, its own or that of the whole account."""


def list_care(requester: Requester, owner: str) -> dict[str, Care]:
    """Return how each repository of an account is looked after, by its id.

    Raises HostError where GitHub does not answer the question, and PyGithub's and requests' errors.
    """
    found: dict[str, Care] = {}
    after: str | None = None
    while True:
        page, unknown = _ask(requester, {"owner": owner, "after": after})
        for place, node in enumerate(page.get("nodes") or ()):
            if node:
                found[str(node["databaseId"])] = _care(node, is_known=place not in unknown)
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def _ask(requester: Requester, variables: dict[str, Any]) -> tuple[dict[str, Any], set[int]]:
    """Return a page, and the places on it of which the token may not know everything."""
    payload = {"query": QUERY, "variables": variables}
    _headers, answer = requester.requestJsonAndCheck("POST", requester.graphql_url, input=payload)
    errors = answer.get("errors") or []
    account = (answer.get("data") or {}).get("repositoryOwner")
    if not account:
        said = "; ".join(str(error.get("message")) for error in errors) or "it knows no such account"
        raise HostError(f"GitHub does not say how repositories are guarded: {said}")
    return account["repositories"], set(_places(errors))


def _places(errors: list[dict[str, Any]]) -> Iterator[int]:
    for error in errors:
        yield from (part for part in error.get("path") or () if isinstance(part, int))


def _care(node: dict[str, Any], *, is_known: bool) -> Care:
    branch = node.get("defaultBranchRef")
    is_protected = None
    if branch and is_known:
        guards = [branch["branchProtectionRule"], branch["refUpdateRule"], branch["rules"]["totalCount"]]
        is_protected = any(guards)
    return Care(
        is_protected=is_protected,
        has_contributing=bool(node.get("contributingGuidelines")),
        has_security_policy=bool(node.get("isSecurityPolicyEnabled")),
    )
