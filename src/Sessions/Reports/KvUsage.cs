using System.Text.Json;
using System.Text.Json.Serialization;
using LServe.Inference;

namespace LServe.Sessions;

/// <summary>Where keys and values lie, from fast to slow.</summary>
public enum KvTier
{
    /// <summary>The memory of a GPU.</summary>
    Device,

    /// <summary>The machine's memory.</summary>
    Host,

    /// <summary>Files, or blobs.</summary>
    Disk,
}

/// <summary>How full a pool of pages is.</summary>
/// <param name="Pool">Null where pages of both are kept together.</param>
/// <param name="UsedPages">Null where tokens aren't kept in pages.</param>
/// <param name="TotalPages">Null without a limit.</param>
/// <param name="UsedBytes">Null if it isn't known.</param>
/// <param name="TotalBytes">Null without a limit.</param>
public sealed record KvUsage(
    [property: JsonConverter(typeof(SnakeCaseEnum<KvTier>))] KvTier Tier, [property: JsonConverter(typeof(SnakeCaseEnum<KvPool>))] KvPool? Pool,
    int? UsedPages, int? TotalPages, long? UsedBytes, long? TotalBytes)
{
    /// <summary>Pages of turns in progress; the other used ones go when somebody needs them. Null where that isn't told apart.</summary>
    public int? BusyPages { get; init; }

    [JsonIgnore]
    public int? FreePages => TotalPages - UsedPages;

    /// <summary>A pool of an engine.</summary>
    public static KvUsage Of(KvTier tier, KvPool pool, int used, int busy, KvGeometry geometry) => new(
        tier, pool, used, geometry.PagesOf(pool), used * geometry.PageBytesOf(pool), geometry.PagesOf(pool) * geometry.PageBytesOf(pool))
    {
        BusyPages = busy,
    };
}

/// <summary>Values of an enumeration by their names in lower case.</summary>
public sealed class SnakeCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower) where T : struct, Enum;
