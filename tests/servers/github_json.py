"""The shapes of GitHub's answers: pure functions of the state and of the server's address.

A listing has the *minimal* repository and a single GET the full one, as on GitHub: PyGithub asks again, once
a repository, for an attribute that only the full one has, and a test must be able to see that.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.servers.github_access import App, Installation, Quota
from tests.servers.github_log import API
from tests.servers.github_state import Owner, Repository

Json = dict[str, Any]

USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
REPOSITORY_LINKS = {
    "forks_url": "/forks",
    "keys_url": "/keys{/key_id}",
    "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams",
    "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}",
    "events_url": "/events",
    "assignees_url": "/assignees{/user}",
    "branches_url": "/branches{/branch}",
    "tags_url": "/tags",
    "blobs_url": "/git/blobs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}",
    "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages",
    "stargazers_url": "/stargazers",
    "contributors_url": "/contributors",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}",
    "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}",
    "merges_url": "/merges",
    "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads",
    "issues_url": "/issues{/number}",
    "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}",
    "releases_url": "/releases{/id}",
    "deployments_url": "/deployments",
}
FULL_ONLY = {
    "temp_clone_token": "",
    "allow_squash_merge": True,
    "allow_merge_commit": True,
    "allow_rebase_merge": True,
    "allow_auto_merge": False,
    "delete_branch_on_merge": False,
    "allow_update_branch": False,
    "use_squash_pr_title_as_default": False,
    "squash_merge_commit_message": "COMMIT_MESSAGES",
    "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
    "merge_commit_message": "PR_TITLE",
    "merge_commit_title": "MERGE_MESSAGE",
    "network_count": 0,
    "subscribers_count": 0,
    "custom_properties": {},
}


@dataclass(frozen=True, slots=True)
class Shapes:
    """Make JSON for the server at `base_url` (`http://127.0.0.1:PORT`)."""

    base_url: str

    @property
    def api(self) -> str:
        """Return the REST API's address."""
        return f"{self.base_url}{API}"

    def simple_user(self, owner: Owner) -> Json:
        """Return an account as it stands in a repository's `owner`."""
        url = f"{self.api}/users/{owner.login}"
        return {
            "login": owner.login,
            "id": owner.id,
            "node_id": node_id("O" if owner.type == "Organization" else "U", owner.id),
            "avatar_url": f"{self.base_url}/avatars/u/{owner.id}?",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.base_url}/{owner.login}",
            "type": owner.type,
            "user_view_type": "public",
            "site_admin": False,
        } | {name: url + link for name, link in USER_LINKS.items()}

    def user(self, owner: Owner, public: int) -> Json:
        """Return an account as GET /users/{login} does."""
        return self.simple_user(owner) | _profile(owner, public) | {"hireable": None, "bio": None}

    def organization(self, owner: Owner, public: int, private: int | None) -> Json:
        """Return an organisation; `private` (a count) only for its members."""
        url = f"{self.api}/orgs/{owner.login}"
        parts = ("hooks", "issues", "repos", "events")
        found: Json = {
            "login": owner.login,
            "id": owner.id,
            "node_id": node_id("O", owner.id),
            "url": url,
            "members_url": f"{url}/members{{/member}}",
            "public_members_url": f"{url}/public_members{{/member}}",
            "avatar_url": f"{self.base_url}/avatars/u/{owner.id}?",
            "html_url": f"{self.base_url}/{owner.login}",
            "description": "",
            "has_organization_projects": True,
            "has_repository_projects": True,
            "is_verified": False,
            "type": "Organization",
            "archived_at": None,
        }
        found |= {f"{part}_url": f"{url}/{part}" for part in parts} | _profile(owner, public)
        found |= {"company": "", "location": "", "email": f"{owner.login}@example.org"}
        if private is not None:
            found |= {"total_private_repos": private, "owned_private_repos": private, "plan": _plan(private)}
        return found

    def minimal_repository(self, repository: Repository, *, write: bool | None = None) -> Json:
        """Return a repository as listings do; `write`: what the viewer may, None for an anonymous one."""
        name, web = repository.full_name, f"{self.base_url}/{repository.full_name}"
        url = f"{self.api}/repos/{name}"
        host = self.base_url.split("//")[1].split(":")[0]
        found: Json = {
            "id": repository.id,
            "node_id": node_id("R", repository.id),
            "name": repository.name,
            "full_name": name,
            "owner": self.simple_user(repository.owner),
            "private": repository.private,
            "visibility": repository.visibility,
            "html_url": web,
            "url": url,
            "git_url": f"git://{host}/{name}.git",
            "ssh_url": f"git@{host}:{name}.git",
            "clone_url": f"{web}.git",
            "svn_url": web,
            "created_at": iso(repository.created_at),
            "updated_at": iso(repository.updated_at),
            "pushed_at": None if repository.pushed_at is None else iso(repository.pushed_at),
            "mirror_url": None,
            "license": None,
            "allow_forking": True,
            "web_commit_signoff_required": False,
            "has_pages": False,
            "has_downloads": True,
            "has_discussions": False,
        }
        kept: tuple[str, ...] = (
            "description",
            "homepage",
            "size",
            "language",
            "topics",
            "archived",
            "disabled",
            "fork",
        )
        kept += ("default_branch", "is_template", "has_issues", "has_wiki", "has_projects")
        found |= {field: getattr(repository, field) for field in kept}
        counts = ("stargazers_count", "watchers_count", "forks_count", "open_issues_count")
        found |= dict.fromkeys((*counts, "forks", "open_issues", "watchers"), 0)
        found |= {field: url + link for field, link in REPOSITORY_LINKS.items()}
        if write is not None:
            found["permissions"] = _permissions(write)
        return found

    def repository(
        self, repository: Repository, *, write: bool | None = None, parent: Repository | None = None
    ) -> Json:
        """Return a repository as GET /repos/{owner}/{name} does."""
        found = self.minimal_repository(repository, write=write) | FULL_ONLY
        if repository.owner.type == "Organization":
            found["organization"] = self.simple_user(repository.owner)
        if parent is not None:
            found |= {"parent": self.minimal_repository(parent), "source": self.minimal_repository(parent)}
        return found

    def app(self, app: App, owner: Owner) -> Json:
        """Return a GitHub App as GET /app does."""
        return {
            "id": app.id,
            "slug": app.slug,
            "node_id": node_id("A", app.id),
            "client_id": f"Iv1.{app.id:016x}",
            "owner": self.simple_user(owner),
            "name": app.slug,
            "description": "",
            "external_url": "https://example.org",
            "html_url": f"{self.base_url}/github-apps/{app.slug}",
            "created_at": iso(owner.created_at),
            "updated_at": iso(owner.created_at),
            "permissions": {"contents": "read", "metadata": "read"},
            "events": [],
            "installations_count": 1,
        }

    def installation(self, installation: Installation, app: App, owner: Owner) -> Json:
        """Return an installation as GET /orgs/{org}/installation does."""
        kind = "organizations" if owner.type == "Organization" else "users"
        return {
            "id": installation.id,
            "account": self.simple_user(owner),
            "repository_selection": selection(installation),
            "access_tokens_url": f"{self.api}/app/installations/{installation.id}/access_tokens",
            "repositories_url": f"{self.api}/installation/repositories",
            "html_url": f"{self.base_url}/{kind}/{owner.login}/settings/installations/{installation.id}",
            "app_id": app.id,
            "app_slug": app.slug,
            "target_id": owner.id,
            "target_type": owner.type,
            "permissions": dict(installation.permissions),
            "events": [],
            "created_at": iso(owner.created_at),
            "updated_at": iso(owner.created_at),
            "single_file_name": None,
            "has_multiple_single_files": False,
            "single_file_paths": [],
            "suspended_at": None,
            "suspended_by": None,
        }


def rate_limit(quota: Quota) -> Json:
    """Return what GET /rate_limit does."""
    core = {"limit": quota.limit, "used": quota.used, "remaining": quota.remaining, "reset": quota.reset}
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": quota.reset}
    return {"resources": {"core": core, "search": search, "graphql": core}, "rate": core}


def iso(moment: datetime) -> str:
    """Return a time as GitHub writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, number: int) -> str:
    """Return a GraphQL node id."""
    return f"{kind}_{base64.urlsafe_b64encode(number.to_bytes(6, 'big')).decode().rstrip('=')}"


def selection(installation: Installation) -> str:
    """Return whether an installation has `all` repositories or `selected` ones."""
    return "all" if installation.repositories is None else "selected"


def _permissions(write: bool) -> Json:
    return {"admin": write, "maintain": write, "push": write, "triage": write, "pull": True}


def _plan(private: int) -> Json:
    return {"name": "enterprise", "space": 976562499, "private_repos": max(private, 9999)}


def _profile(owner: Owner, public: int) -> Json:
    moments = {"created_at": iso(owner.created_at), "updated_at": iso(owner.created_at)}
    empty = dict.fromkeys(("company", "location", "email", "twitter_username"))
    counts = {"public_repos": public, "public_gists": 0, "followers": 0, "following": 0}
    return {"name": owner.login, "blog": ""} | empty | counts | moments
