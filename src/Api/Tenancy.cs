using LServe.Contracts;
using Microsoft.AspNetCore.Http;

namespace LServe.Api;

/// <summary>Whose request this is. Without configured keys there is one tenant.</summary>
internal static class Tenancy
{
    public static string Of(HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return SessionKey.DefaultTenant;
    }
}
