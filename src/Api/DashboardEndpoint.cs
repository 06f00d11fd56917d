using LServe.Api.Http;
using LServe.Contracts;
using LServe.Sessions;
using Microsoft.AspNetCore.Http;

namespace LServe.Api;

/// <summary>
/// <c>/dashboard</c>: what all silos of this host do, and the sessions of the request's tenant, as a page that reads <c>/dashboard/feed</c>.
/// </summary>
internal sealed class DashboardEndpoint(ApiServices api)
{
    /// <summary>Sessions in a feed that names no limit.</summary>
    private const int DefaultSessions = 50;

    /// <summary>Time for which a feed is given to further readers, so that many pages cost no more than one.</summary>
    private static readonly TimeSpan s_age = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _gathering = new(1);
    private (string Tenant, int Sessions, long At, DashboardFeed Feed)? _last;

    public void Map(Routes routes)
    {
        var page = new EmbeddedFile("dashboard.html", EmbeddedFile.Html);
        routes.Get("/dashboard", http =>
        {
            // What the page names lies beside it, so that it works behind a proxy that adds to the path: but not below it.
            if (!http.Request.Path.Value!.EndsWith('/')) return page.WriteAsync(http);
            http.Response.Redirect("../dashboard");
            return Task.CompletedTask;
        });
        routes.Get("/dashboard/dashboard.css", new EmbeddedFile("dashboard.css", EmbeddedFile.Css).WriteAsync);
        foreach (var script in new[] { "dashboard.js", "panels.js", "format.js" })
            routes.Get("/dashboard/" + script, new EmbeddedFile(script, EmbeddedFile.Script).WriteAsync);
        routes.Get("/dashboard/feed", HandleAsync);
    }

    private async Task HandleAsync(HttpContext http)
    {
        var limit = SessionsEndpoint.ReadLimit(http, api.Options, DefaultSessions);
        await JsonReply.WriteAsync(http, await FeedAsync(Tenancy.Of(http), limit, http.RequestAborted), DashboardJson.Default.DashboardFeed);
    }

    private async Task<DashboardFeed> FeedAsync(string tenant, int sessions, CancellationToken cancellation)
    {
        await _gathering.WaitAsync(cancellation);
        try
        {
            if (_last is { } last && last.Tenant == tenant && last.Sessions == sessions && api.Time.GetElapsedTime(last.At) < s_age) return last.Feed;
            var feed = await GatherAsync(tenant, sessions, cancellation);
            _last = (tenant, sessions, api.Time.GetTimestamp(), feed);
            return feed;
        }
        finally
        {
            _gathering.Release();
        }
    }

    private async Task<DashboardFeed> GatherAsync(string tenant, int limit, CancellationToken cancellation)
    {
        var silos = await api.Host.ReportAsync(cancellation);
        try
        {
            var sessions = await api.Host.ListAsync(tenant, limit, cancellation);
            return new(api.Time.GetUtcNow(), tenant, silos, [.. sessions.Select(DashboardSession.Of)]);
        }
        catch (Exception problem) when (problem is SessionStoreException or LServeException)
        {
            // A store that is out of reach is when an operator looks here: the silos still say what they do.
            return new(api.Time.GetUtcNow(), tenant, silos, [], OpenAiErrors.Describe(problem).Message);
        }
    }
}
