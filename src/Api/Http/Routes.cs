using LServe.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace LServe.Api.Http;

/// <summary>Maps endpoints, each behind the same boundary: no foreign web pages, failures in one shape, one count per request.</summary>
internal sealed partial class Routes(IEndpointRouteBuilder app, ApiServices api)
{
    public void Get(string pattern, RequestDelegate handler) => Map("GET", pattern, handler);

    public void Post(string pattern, RequestDelegate handler) => Map("POST", pattern, handler);

    public void Delete(string pattern, RequestDelegate handler) => Map("DELETE", pattern, handler);

    public void MapFallback() => app.MapFallback(http =>
        OpenAiErrors.WriteAsync(http, StatusCodes.Status404NotFound, "not_found", $"There is no {http.Request.Method} {http.Request.Path} here."));

    private void Map(string method, string pattern, RequestDelegate handler) =>
        app.MapMethods(pattern, [method], http => RunAsync(http, pattern, handler));

    private async Task RunAsync(HttpContext http, string pattern, RequestDelegate handler)
    {
        var begin = api.Time.GetTimestamp();
        try
        {
            if (CrossOriginGuard.IsForeign(http.Request))
                await OpenAiErrors.WriteAsync(http, StatusCodes.Status403Forbidden, "cross_origin", CrossOriginGuard.Explanation);
            else
                await handler(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            if (!http.Response.HasStarted)
                http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception failure)
        {
            await AnswerAsync(http, failure);
        }
        api.Metrics.Count(pattern, http.Response.StatusCode, api.Time.GetElapsedTime(begin));
    }

    private async Task AnswerAsync(HttpContext http, Exception failure)
    {
        var error = OpenAiErrors.Describe(failure);
        if (error.Code == ErrorCode.Internal)
            LogFailure(api.Logger, http.Request.Method, http.Request.Path, failure);
        if (http.Response.HasStarted)
            http.Abort();
        else
            await OpenAiErrors.WriteAsync(http, error);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailure(ILogger logger, string method, string path, Exception failure);
}
