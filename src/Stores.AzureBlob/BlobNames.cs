using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LServe.Contracts;

namespace LServe.Stores.AzureBlob;

/// <summary>What blobs are called. A session's name is a hash of 128 bits, which nobody can choose to collide with another's.</summary>
internal static class BlobNames
{
    public const string Sessions = "sessions/";
    private const string Notes = "notes/", Pages = "pages/";
    private const int HashBytes = 16;

    public static string StatesOf(string tenant) => $"{Sessions}{Hash(tenant)}/";

    public static string StateOf(SessionKey key) => Sessions + Path(key);

    public static string NoteOf(SessionKey key) => Notes + Path(key);

    /// <summary>What the names of the session's page files begin with.</summary>
    public static string PagesOf(SessionKey key) => Pages + Path(key) + "-";

    public static string PageFileOf(SessionKey key, int file) => PagesOf(key) + file.ToString(CultureInfo.InvariantCulture);

    /// <summary>The number of a page file; null if the name is none of one.</summary>
    public static int? FileOf(SessionKey key, string name) =>
        int.TryParse(name.AsSpan(PagesOf(key).Length), NumberStyles.None, CultureInfo.InvariantCulture, out var file) ? file : null;

    private static string Path(SessionKey key) => $"{Hash(key.Tenant)}/{Hash(key.ToString())}";

    private static string Hash(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, HashBytes));
}
