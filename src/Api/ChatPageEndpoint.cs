using LServe.Api.Http;

namespace LServe.Api;

/// <summary>The chat page at <c>/</c>.</summary>
internal static class ChatPageEndpoint
{
    public static void Map(Routes routes)
    {
        routes.Get("/", new EmbeddedFile("chat.html", EmbeddedFile.Html).WriteAsync);
        routes.Get("/chat.css", new EmbeddedFile("chat.css", EmbeddedFile.Css).WriteAsync);
        foreach (var script in new[] { "chat.js", "view.js", "stream.js", "markdown.js" })
            routes.Get("/" + script, new EmbeddedFile(script, EmbeddedFile.Script).WriteAsync);
    }
}
