using LServe.Api.Http;
using LServe.Api.Turns;
using LServe.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;

namespace LServe.Api;

/// <summary><c>GET /v1/models</c> and <c>GET /v1/models/{id}</c>.</summary>
internal sealed class ModelsEndpoint(ApiServices api)
{
    public void Map(Routes routes)
    {
        routes.Get("/v1/models", http =>
            JsonReply.WriteAsync(http, new("list", [Card()]), WireJson.Default.ModelList));
        routes.Get("/v1/models/{**id}", HandleOneAsync);
    }

    private Task HandleOneAsync(HttpContext http)
    {
        ModelName.Check((string)http.Request.RouteValues["id"]!, api.Host.Status.Model);
        return JsonReply.WriteAsync(http, Card(), WireJson.Default.ModelCard);
    }

    private ModelCard Card()
    {
        var status = api.Host.Status;
        return new(status.Model, "model", api.Started.ToUnixTimeSeconds(), "lserve", status.ContextLength, status.CanChat, status.Backend);
    }
}
